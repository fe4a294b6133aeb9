import { productionLicences, refused } from './licences.ts';

const packages = productionLicences(process.cwd());
const bad = refused(packages);
for (const { name, version, licence } of bad)
  console.error(`${name}@${version}: ${licence || 'no licence stated'}`);
console.log(`${packages.length} production dependencies, ${bad.length} with a refused licence`);
process.exitCode = bad.length > 0 ? 1 : 0;
