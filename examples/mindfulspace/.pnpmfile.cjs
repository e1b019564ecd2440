// @prisma/client names the Prisma CLI and TypeScript as optional peers. Both are devDependencies of
// the API, so pnpm links them to the client, and a production install then carries the whole CLI
// (with Studio and React) at three times the size. Only a hook can remove an optional peer: pnpm's
// `overrides` take away `peerDependencies` but not `peerDependenciesMeta`, and the peer comes back.
function readPackage(pkg) {
  if (pkg.name === '@prisma/client') {
    delete pkg.peerDependencies;
    delete pkg.peerDependenciesMeta;
  }
  return pkg;
}

module.exports = { hooks: { readPackage } };
