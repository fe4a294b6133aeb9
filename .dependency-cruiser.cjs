/** Direction of dependencies: apps -> engine -> adapters -> pure cores -> kernel (docs/architecture.md). */
const only = (lib, allowed) => ({
  name: `${lib}-depends-only-on-${allowed.join('-or-') || 'nothing'}`,
  severity: 'error',
  from: { path: `^libs/${lib}/src` },
  to: { path: '^(libs|apps)/', pathNot: `^libs/(${[lib, ...allowed].join('|')})/` },
});
const pure = 'kernel|dsp|fingerprint|catalog|monitoring|analysis|tagging|transition';

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'pure-libs-import-no-platform',
      comment: 'Pure libs neither read files nor talk to services.',
      severity: 'error',
      from: { path: `^libs/(${pure})/src`, pathNot: '\\.test\\.ts$' },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(fs|net|http|https|child_process|worker_threads|os|dns|tls|dgram|cluster|process)(/|$)',
      },
    },
    {
      name: 'pure-libs-import-no-adapters',
      severity: 'error',
      from: { path: `^libs/(${pure})/src`, pathNot: '\\.test\\.ts$' },
      to: { path: 'node_modules/(pg|@nestjs|fastify|@elastic|onnxruntime-node|pino)(/|$)' },
    },
    {
      name: 'nest-only-in-apps-and-platform',
      severity: 'error',
      from: { path: '^libs/', pathNot: '^libs/platform/' },
      to: { path: '(^|node_modules/)@nestjs/' },
    },
    { name: 'libs-never-import-apps', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    {
      name: 'no-deep-imports',
      comment: 'A lib is used through its index.',
      severity: 'error',
      from: { path: '^(libs|apps)/([^/]+)/' },
      to: { path: '^libs/([^/]+)/src/(?!index\\.ts$)', pathNot: '^libs/$2/' },
    },
    only('kernel', []),
    only('dsp', ['kernel']),
    only('media', ['kernel', 'dsp']),
    only('fingerprint', ['kernel', 'dsp']),
    only('analysis', ['kernel', 'dsp']),
    only('tagging', ['kernel', 'dsp']),
    only('catalog', ['kernel']),
    only('monitoring', ['kernel']),
    only('models', ['kernel', 'dsp', 'tagging']),
    only('transition', ['kernel', 'dsp', 'analysis']),
    only('fingerprint-index', ['kernel', 'fingerprint', 'transition']),
    only('storage', ['kernel', 'catalog', 'monitoring', 'tagging', 'transition']),
    only('platform', ['kernel', 'catalog', 'monitoring', 'storage']),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(/dist/|\\.test\\.ts$)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@earmark/source', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
