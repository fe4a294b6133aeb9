// Compiles the dot products to WASM and embeds them as base64 in src/dots.generated.ts; with --check it only says whether
// that file is current (exit code 1 if not).
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = new URL('.', import.meta.url);
const target = new URL('../src/dots.generated.ts', import.meta.url);

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
    readFile: (name) => {
      try {
        return readFileSync(new URL(name, folder), 'utf8');
      } catch {
        return null;
      }
    },
    writeFile: (name, contents) => {
      if (name === 'kernels.wasm') binary = contents;
    },
    listFiles: () => [],
  },
);
if (error || !binary) throw new Error(`AssemblyScript: ${error?.message ?? ''}\n${stderr.toString()}`);

const text = `// Generated from ../assembly by "npm run build:wasm -w libs/transition"; do not edit.
export const DOTS_BASE64 =
  '${Buffer.from(binary).toString('base64')}';
`;
if (process.argv.includes('--check')) {
  const current = readFileSync(target, 'utf8') === text;
  console.log(`${fileURLToPath(target)}: ${current ? 'current' : 'out of date'}`);
  process.exitCode = current ? 0 : 1;
} else {
  writeFileSync(target, text);
  console.log(`${fileURLToPath(target)}: ${binary.length} bytes of WASM`);
}
