// Gives the pages that are to be renewed after a while the time when they were made: Next counts from there. Without a
// time of its own (SOURCE_DATE_EPOCH, in seconds since 1970) that is now.
// Usage: node renewed.mjs OUTPUT-FOLDER   (the app's .next, as it will lie in the image)
import fs from 'node:fs';
import path from 'node:path';

const dist = process.argv[2];
const given = Number(process.env.SOURCE_DATE_EPOCH || NaN);
const seconds = Number.isInteger(given) ? given : Math.floor(Date.now() / 1000);

const record = path.join(dist, 'prerender-manifest.json');
const { routes = {}, dynamicRoutes = {} } = fs.existsSync(record) ? JSON.parse(fs.readFileSync(record, 'utf8')) : {};
const pages = [
  ...Object.entries(routes).filter(([, route]) => typeof route.initialRevalidateSeconds === 'number'),
  ...Object.entries(dynamicRoutes).filter(([, route]) => typeof route.fallbackRevalidate === 'number'),
].map(([route]) => (route === '/' ? '/index' : route));

function renew(file) {
  const found = fs.lstatSync(file);
  if (found.isDirectory()) for (const name of fs.readdirSync(file)) renew(path.join(file, name));
  else fs.lutimesSync(file, seconds, seconds);
}
for (const page of pages) {
  for (const kind of ['app', 'pages']) {
    const place = path.join(dist, 'server', kind, page);
    const folder = path.dirname(place);
    const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
    // page.html, page.rsc, page.segments/…
    names.filter((name) => name.startsWith(`${path.basename(place)}.`)).forEach((name) => renew(path.join(folder, name)));
  }
}
