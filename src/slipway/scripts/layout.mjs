// Copies what is wanted of built folders into folders of their own, as they are: modes, times, links.
// Usage: node layout.mjs '[{"source": "/app/apps/api", "target": "/slipway/out/app",
//                           "drop": ["^src(?:/|$)", …], "only": ["node_modules/.pnpm/@prisma+client@*/…", …]}]'
// drop: regular expressions of paths in the source. only: folders to take, with `*` for a part of a name.
import fs from 'node:fs';
import path from 'node:path';

function matching(folder, [part, ...rest]) {
  if (part === undefined) return [folder];
  const pattern = new RegExp(`^${part.split('*').map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
  const names = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => pattern.test(name)) : [];
  return names.flatMap((name) => matching(path.join(folder, name), rest));
}

for (const { source, target, drop, only } of JSON.parse(process.argv[2])) {
  const dropped = drop.map((pattern) => new RegExp(pattern));
  const kept = (file) => !dropped.some((pattern) => pattern.test(path.relative(source, file)));
  const options = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true, filter: kept };
  fs.mkdirSync(target, { recursive: true });
  const folders = only.length ? only.flatMap((folder) => matching(source, folder.split('/'))) : [source];
  for (const folder of folders) fs.cpSync(folder, path.join(target, path.relative(source, folder)), options);
}
