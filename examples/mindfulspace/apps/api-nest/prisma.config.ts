import { defineConfig } from 'prisma/config';

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations', seed: 'tsx prisma/seed.ts' },
  // Not env('DATABASE_URL'), which throws when it is unset: `generate` needs no database.
  datasource: { url: process.env.DATABASE_URL ?? '' },
});
