// Copies what is wanted of built folders into folders of their own, and settles it (settle.mjs).
// Usage: node layout.mjs '[{"source": "/app/apps/api", "target": "/slipway/out/app", "inside": "/app/apps/api",
//                           "drop": ["^src(?:/|$)", …], "only": ["node_modules/.pnpm/@prisma+client@*/…", …]}]'
// inside: the folder of the target that the files go into. drop: regular expressions of paths in the source.
// only: folders to take, with `*` for a part of a name.
import fs from 'node:fs';
import path from 'node:path';
import { settle } from './settle.mjs';

function matching(folder, [part, ...rest]) {
  if (part === undefined) return [folder];
  const pattern = new RegExp(`^${part.split('*').map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
  const names = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => pattern.test(name)) : [];
  return names.flatMap((name) => matching(path.join(folder, name), rest));
}

const plans = JSON.parse(process.argv[2]);
for (const { source, target, inside, drop, only } of plans) {
  const dropped = drop.map((pattern) => new RegExp(pattern));
  const kept = (file) => !dropped.some((pattern) => pattern.test(path.relative(source, file)));
  const options = { recursive: true, verbatimSymlinks: true, filter: kept };
  const place = path.join(target, inside);
  fs.mkdirSync(place, { recursive: true });
  const folders = only.length ? only.flatMap((folder) => matching(source, folder.split('/'))) : [source];
  for (const folder of folders) fs.cpSync(folder, path.join(place, path.relative(source, folder)), options);
}
for (const target of new Set(plans.map((plan) => plan.target))) settle(target);
