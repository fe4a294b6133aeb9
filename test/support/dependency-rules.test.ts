import { cruise, type IForbiddenRuleType } from 'dependency-cruiser';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

type Planted = readonly [rule: string, file: string, source: string];

const root = resolve(import.meta.dirname, '../..');
const config = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as {
  forbidden: (IForbiddenRuleType & { name: string })[];
  options: object;
};

/** One violation a rule, each the smallest that the rule exists for. */
const planted: readonly Planted[] = [
  ['no-circular', 'libs/kernel/src/a.ts', "import './b.js'; export const a = 1;"],
  ['pure-libs-import-no-platform', 'libs/dsp/src/a.ts', "import 'node:fs';"],
  ['pure-libs-import-no-adapters', 'libs/catalog/src/a.ts', "import 'pg';"],
  ['nest-only-in-apps-and-platform', 'libs/storage/src/a.ts', "import '@nestjs/common';"],
  ['libs-never-import-apps', 'libs/kernel/src/c.ts', "import '../../../apps/cli/src/index.js';"],
  ['no-deep-imports', 'libs/fingerprint/src/a.ts', "import '../../kernel/src/d.js';"],
  ...config.forbidden
    .map(({ name }) => /^(.+)-depends-only-on-/.exec(name))
    .filter((match) => match !== null)
    .map((match): Planted => [
      match.input,
      `libs/${match[1]}/src/e.ts`,
      "import '../../engine/src/index.js';",
    ]),
];

describe('direction of dependencies', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'earmark-rules-'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    cpSync(join(root, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'));
    const helpers = {
      'libs/kernel/src/b.ts': "import './a.js'; export const b = 1;",
      'libs/kernel/src/d.ts': 'export const d = 1;',
      'libs/engine/src/index.ts': 'export const engine = 1;',
      'apps/cli/src/index.ts': 'export const cli = 1;',
    };
    for (const [path, source] of Object.entries(helpers)) write(path, source);
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function write(path: string, source: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), source);
  }

  it.each(planted)('%s catches its planted violation', async (rule, file, source) => {
    write(file, source);
    const { output } = await cruise(['libs', 'apps'], {
      ...config.options,
      baseDir: folder,
      validate: true,
      ruleSet: { forbidden: config.forbidden.filter(({ name }) => name === rule) },
      tsConfig: { fileName: join(folder, 'tsconfig.base.json') },
    });
    const violations = typeof output === 'string' ? [] : output.summary.violations;
    expect(violations.map((violation) => violation.rule.name)).toContain(rule);
  });

  it('plants a violation for every rule', () => {
    expect(new Set(planted.map(([rule]) => rule))).toEqual(new Set(config.forbidden.map(({ name }) => name)));
  });
});
