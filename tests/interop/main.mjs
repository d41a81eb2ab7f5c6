// Interoperation of crypto/ with @noble/post-quantum and with the OpenSSL 3.5 of Node.js 24, both ways. Run by
// `./aios test interop` under the Node.js in build/npm:  node main.mjs AIOS-HOST NPM-FOLDER [BUILD-FOLDER]
// Our side is `aios-host kat`, a child process (and a program of its own for what that does not offer). Prints a line
// "TEST name pass|fail|skip detail" for each check. The random inputs follow from AIOS_INTEROP_SEED (hexadecimal), which is
// named where a check fails; without it they are the same in every run.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

import { Kat } from './kat.mjs';
import { Random } from './random.mjs';
import * as kem from './check_kem.mjs';
import * as lattice from './check_ml_dsa.mjs';
import * as encodings from './check_encodings.mjs';
import * as hashBased from './check_slh_dsa.mjs';
import * as symmetric from './check_symmetric.mjs';

const subjects = [symmetric, kem, lattice, encodings, hashBased];

const [program, npmFolder, buildFolder] = process.argv.slice(2);
if (npmFolder === undefined) {
  console.error('usage: node main.mjs AIOS-HOST NPM-FOLDER [BUILD-FOLDER]');
  process.exit(2);
}

const seed = process.env.AIOS_INTEROP_SEED ?? '00';
const find = createRequire(path.join(path.resolve(npmFolder), 'package.json'));
let failures = 0;

// Runs a check; what it throws is the failure. A check that has nothing to run on throws a Skip.
async function check(name, body) {
  try {
    await body();
    console.log(`TEST ${name} pass`);
  } catch (error) {
    const why = String(error?.message ?? error).replaceAll(/\s+/g, ' ').slice(0, 400);
    if (error instanceof Skip) {
      console.log(`TEST ${name} skip ${why}`);
      return;
    }
    failures++;
    console.log(`TEST ${name} fail ${why} (AIOS_INTEROP_SEED=${seed})`);
    console.log(String(error?.stack ?? '').split('\n').slice(1, 4).join('\n'));
  }
}

class Skip extends Error {}

for (const subject of subjects) {
  const kat = new Kat(program);
  try {
    await subject.run({
      kat,
      check,
      random: new Random(`${seed} ${subject.name}`),
      skip: (reason) => {
        throw new Skip(reason);
      },
      // A module of the packages, such as '@noble/post-quantum/ml-kem.js'.
      load: (module) => import(pathToFileURL(find.resolve(module))),
      buildFolder,
    });
  } catch (error) {
    failures++;
    console.log(`TEST ${subject.name} fail ${String(error?.message ?? error).replaceAll(/\s+/g, ' ')}`);
  }
  await kat.end();
}
process.exitCode = failures === 0 ? 0 : 1;
