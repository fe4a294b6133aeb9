// Compiles AssemblyScript to WASM and embeds it as base64 in a TypeScript file:
//
//     node build.mjs PACKAGE NAME CONSTANT [--check]
//
// PACKAGE is the folder of a library with assembly/index.ts; src/NAME.generated.ts gets the constant. With --check it only
// says whether that file is current (exit code 1 if not).
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import asc from 'assemblyscript/asc';

const [library, name, constant, ...flags] = process.argv.slice(2);
const sources = join(library, 'assembly');
const target = join(library, 'src', `${name}.generated.ts`);

let binary;
const { error, stderr } = await asc.main(
  [
    'index.ts',
    '--outFile=kernels.wasm',
    '-O3',
    '--noAssert',
    '--runtime=stub',
    '--importMemory',
    '--enable=simd',
    '--enable=bulk-memory',
  ],
  {
    readFile: (path) => {
      try {
        return readFileSync(join(sources, path), 'utf8');
      } catch {
        return null;
      }
    },
    writeFile: (path, contents) => {
      if (path === 'kernels.wasm') binary = contents;
    },
    listFiles: () => [],
  },
);
if (error || !binary) throw new Error(`AssemblyScript: ${error?.message ?? ''}\n${stderr.toString()}`);

const text = `// Generated from ../assembly by "npm run build:wasm -w libs/${basename(resolve(library))}"; do not edit.
export const ${constant} =
  '${Buffer.from(binary).toString('base64')}';
`;
if (flags.includes('--check')) {
  const current = readFileSync(target, 'utf8') === text;
  console.log(`${target}: ${current ? 'current' : 'out of date'}`);
  process.exitCode = current ? 0 : 1;
} else {
  writeFileSync(target, text);
  console.log(`${target}: ${binary.length} bytes of WASM`);
}
