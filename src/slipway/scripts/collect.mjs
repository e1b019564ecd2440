// Copies the packages that some programs need at run time out of an installed workspace, with the
// links between them, to /out/dependencies: what `pnpm install --prod` would install, less optional peers that only
// devDependencies brought (Prisma's CLI and TypeScript, for @prisma/client).
//
// Usage: node collect.mjs '{"roots": {"apps/api": ["@nestjs/core", …], …}, "bins": "apps/api" | null,
//                           "runners": ["npx"], "scripts": {}, "drop": ["\\.d\\.ts$", …]}'
// roots: for each workspace folder the dependencies to follow. bins: the folder that gets node_modules/.bin.
import fs from 'node:fs';
import path from 'node:path';

const plan = JSON.parse(process.argv[2]);
const root = process.argv[3] ?? '/app';
const out = process.argv[4] ?? '/out/dependencies';
const drop = plan.drop.map((pattern) => new RegExp(pattern));

const packages = new Set(); // real folders to copy whole
const links = new Map(); // link path → its target, as written

const inside = (file) => path.relative(root, file);
const manifest = (folder) => {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  } catch {
    return {};
  }
};
const entry = (file) => fs.lstatSync(file, { throwIfNoEntry: false });
const list = (folder) => (entry(folder)?.isDirectory() ? fs.readdirSync(folder).sort() : []);

/** The names in one node_modules folder, scoped ones included. */
function names(folder) {
  return list(folder).flatMap((name) => {
    if (name.startsWith('.')) return [];
    if (name.startsWith('@')) return list(path.join(folder, name)).map((child) => `${name}/${child}`);
    return [name];
  });
}

/** Node's own search: node_modules of the folder and of each folder above it, up to the repo. */
function find(from, name) {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (path.basename(folder) !== 'node_modules') {
      const candidate = path.join(folder, 'node_modules', name);
      if (entry(candidate)) return candidate;
    }
    if (folder === root || folder === path.dirname(folder)) return null;
  }
}

function edges(folder) {
  const own = manifest(folder);
  const optionalPeer = (name) =>
    own.peerDependenciesMeta?.[name]?.optional &&
    !(name in (own.dependencies ?? {})) &&
    !(name in (own.optionalDependencies ?? {}));
  const declared = [own.dependencies, own.optionalDependencies, own.peerDependencies].flatMap((group) =>
    Object.keys(group ?? {}),
  );
  // What pnpm linked beside the package without its manifest saying so: packageExtensions, .pnpmfile.cjs.
  const beside = inside(folder).includes('.pnpm/')
    ? names(folder.slice(0, folder.lastIndexOf('/node_modules/') + '/node_modules'.length))
    : [];
  return [...new Set([...declared, ...beside])].filter((name) => !optionalPeer(name));
}

const queue = [];
function follow(from, name) {
  const found = find(from, name);
  if (!found) return;
  const real = fs.existsSync(found) ? fs.realpathSync(found) : null;
  if (!real) return;
  if (entry(found).isSymbolicLink()) links.set(found, fs.readlinkSync(found));
  const isPackage = inside(real).split('/').includes('node_modules');
  if (!isPackage || packages.has(real)) return;
  packages.add(real);
  queue.push(real);
}

for (const [folder, wanted] of Object.entries(plan.roots)) {
  for (const name of wanted) follow(path.join(root, folder), name);
}
while (queue.length) {
  const folder = queue.pop();
  for (const name of edges(folder)) follow(folder, name);
}

// Links that let undeclared dependencies resolve, where what they point to is there anyway.
for (const hoisted of [path.join(root, 'node_modules'), path.join(root, 'node_modules/.pnpm/node_modules')]) {
  for (const name of names(hoisted)) {
    const link = path.join(hoisted, name);
    if (entry(link).isSymbolicLink() && fs.existsSync(link) && packages.has(fs.realpathSync(link))) {
      links.set(link, fs.readlinkSync(link));
    }
  }
}

// A fixed time: the layer is then the same, byte for byte, until a dependency changes.
const folders = new Set();
const still = (file) => fs.lutimesSync(file, 0, 0);
const place = (file) => path.join(out, root, inside(file));
function parents(file) {
  for (let folder = path.dirname(file); folder !== out && folder.startsWith(out); folder = path.dirname(folder)) {
    if (folders.has(folder)) break;
    folders.add(folder);
  }
  fs.mkdirSync(path.dirname(file), { recursive: true });
}

let copied = 0;
function copy(from, to) {
  const found = fs.lstatSync(from);
  if (found.isDirectory()) {
    fs.mkdirSync(to, { recursive: true });
    folders.add(to);
    for (const name of list(from)) copy(path.join(from, name), path.join(to, name));
  } else if (found.isSymbolicLink()) {
    fs.symlinkSync(fs.readlinkSync(from), to);
    still(to);
  } else if (!drop.some((pattern) => pattern.test(from))) {
    fs.copyFileSync(from, to);
    still(to);
    copied += 1;
  }
}

for (const folder of [...packages].sort()) {
  // One inside another (hoisted layouts, bundled dependencies) comes with the outer one.
  const outer = path.dirname(folder);
  if ([...parentsOf(outer)].some((above) => packages.has(above))) continue;
  parents(place(folder));
  copy(folder, place(folder));
}
function* parentsOf(folder) {
  for (; folder !== root && folder !== path.dirname(folder); folder = path.dirname(folder)) yield folder;
}
for (const [link, target] of [...links].sort()) {
  const to = place(link);
  parents(to);
  if (!entry(to)) {
    fs.symlinkSync(target, to);
    still(to);
  }
}

function script(file, text) {
  parents(file);
  fs.rmSync(file, { force: true });
  fs.writeFileSync(file, text, { mode: 0o755 });
  fs.chmodSync(file, 0o755);
  still(file);
}
/** Some packages replace their JavaScript program by a native one when they are installed (esbuild). */
function isScript(file) {
  if (!fs.existsSync(file)) return true;
  const head = fs.readFileSync(file).subarray(0, 4).toString('latin1');
  return head !== '\x7fELF';
}
if (plan.bins !== null) {
  const bin = place(path.join(root, plan.bins, 'node_modules/.bin'));
  for (const [folder, wanted] of Object.entries(plan.roots)) {
    for (const name of wanted) {
      const found = find(path.join(root, folder), name);
      if (!found || !fs.existsSync(found)) continue;
      const own = manifest(found);
      const programs = typeof own.bin === 'string' ? { [own.name.split('/').at(-1)]: own.bin } : (own.bin ?? {});
      for (const [program, file] of Object.entries(programs)) {
        const target = path.join(fs.realpathSync(found), file);
        const run = isScript(target) ? `node "${target}"` : `"${target}"`;
        script(path.join(bin, program), `#!/bin/sh\nPATH="$(dirname "$0"):$PATH" exec ${run} "$@"\n`);
      }
    }
  }
  // `npx tsx seed.ts`, `pnpm exec tsx seed.ts`: the program is in .bin, and no package manager is here.
  for (const [name, command] of Object.entries(plan.scripts)) {
    script(path.join(bin, name), `#!/bin/sh\nPATH="$(dirname "$0"):$PATH"\nexport PATH\n${command} "$@"\n`);
  }
  for (const runner of plan.runners) {
    script(
      path.join(bin, runner),
      '#!/bin/sh\nwhile :; do case "${1-}" in exec | run | dlx | -- | -y | --yes | -s | --silent) shift ;; *) break ;; esac; done\nexec "$@"\n',
    );
  }
}

for (const folder of [...folders].sort().reverse()) {
  fs.chmodSync(folder, 0o755);
  still(folder);
}
fs.mkdirSync(out, { recursive: true });
console.log(`${packages.size} packages, ${copied} files, ${links.size} links`);
