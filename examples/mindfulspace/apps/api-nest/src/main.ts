import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module';
import { configure } from './configure';

async function bootstrap(): Promise<void> {
  const app = configure(await NestFactory.create(AppModule));
  // Without it the API, as process 1 of its container, ignores SIGTERM until it is killed.
  app.enableShutdownHooks();
  await app.listen(Number(process.env.PORT ?? 3001), '0.0.0.0');
}

void bootstrap();
