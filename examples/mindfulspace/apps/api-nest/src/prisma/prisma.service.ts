import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../generated/prisma/client';

function databaseUrl(): string {
  const url = process.env.DATABASE_URL;
  if (!url) {
    throw new Error('DATABASE_URL is not set. Example: postgresql://user:password@host:5432/name');
  }
  return url;
}

// So that a database which does not answer makes the health check fail before its caller gives up.
const PATIENCE = { connectionTimeoutMillis: 2000, query_timeout: 4000 };

@Injectable()
export class PrismaService extends PrismaClient implements OnApplicationShutdown {
  constructor() {
    super({ adapter: new PrismaPg({ connectionString: databaseUrl(), ...PATIENCE }) });
  }

  // Not onModuleDestroy, which comes before the HTTP server has finished its requests.
  async onApplicationShutdown(): Promise<void> {
    await this.$disconnect();
  }
}
