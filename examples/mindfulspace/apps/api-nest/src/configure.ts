import { type INestApplication, ValidationPipe } from '@nestjs/common';

/** What the served app and the one under test have in common. */
export function configure<App extends INestApplication>(app: App): App {
  const origins = process.env.CORS_ORIGINS?.split(',')
    .map((origin) => origin.trim())
    .filter(Boolean);
  app.enableCors({ origin: origins?.length ? origins : true });
  app.useGlobalPipes(new ValidationPipe({ whitelist: true, transform: true }));
  return app;
}
