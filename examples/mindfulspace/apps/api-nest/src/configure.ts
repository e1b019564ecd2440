import { type INestApplication, ValidationPipe } from '@nestjs/common';

/** What the served app and the one under test have in common. */
export function configure<App extends INestApplication>(app: App): App {
  const origins = process.env.CORS_ORIGINS?.split(',')
    .map((origin) => origin.trim())
    .filter(Boolean);
  app.enableCors({ origin: origins?.length ? origins : true });
  // Where one host has both, such as `api` for /api/sessions; the container's own check stays at /health.
  app.setGlobalPrefix(process.env.API_PREFIX ?? '', { exclude: ['health'] });
  app.useGlobalPipes(new ValidationPipe({ whitelist: true, transform: true }));
  return app;
}
