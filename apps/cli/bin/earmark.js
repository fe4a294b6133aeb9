#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/main.js', import.meta.url);
/** ONNX Runtime 1.30 crashes in a process whose command line is longer than about 20 kB; longer ones travel in a file. */
const longestLine = 8000;
const words = process.argv.slice(2);
const file = process.env.EARMARK_WORDS_FILE;

if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `earmark needs Node 24 or later, this is ${process.version}; run it through npx or an npm script`,
  );
  process.exit(2);
} else if (!existsSync(main)) {
  console.error('earmark is not built yet; run: npm run build');
  process.exit(2);
} else if (file !== undefined) {
  process.argv.push(...JSON.parse(readFileSync(file, 'utf8')));
  rmSync(dirname(file), { recursive: true, force: true });
  delete process.env.EARMARK_WORDS_FILE;
  await import(main.href);
} else if (words.join(' ').length > longestLine) {
  const own = join(mkdtempSync(join(tmpdir(), 'earmark-words-')), 'words.json');
  writeFileSync(own, JSON.stringify(words), { mode: 0o600 });
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    stdio: 'inherit',
    env: { ...process.env, EARMARK_WORDS_FILE: own },
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => process.exit(code ?? 1));
} else {
  await import(main.href);
}
