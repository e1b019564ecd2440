import { PrismaPg } from '@prisma/adapter-pg';
import type { NewSession } from '@mindfulspace/shared';
import { PrismaClient } from '../src/generated/prisma/client';

const SESSIONS: NewSession[] = [
  { title: 'Morning breath', minutes: 10, mood: 'calm' },
  { title: 'Walking meditation', minutes: 25, mood: 'content' },
  { title: 'Body scan before sleep', minutes: 20, mood: 'tired' },
];

async function seed(prisma: PrismaClient): Promise<void> {
  for (const session of SESSIONS) {
    const found = await prisma.session.findFirst({ where: { title: session.title } });
    if (!found) await prisma.session.create({ data: session });
  }
  console.log(`sessions in the database: ${await prisma.session.count()}`);
}

const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL });
const prisma = new PrismaClient({ adapter });
seed(prisma)
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => prisma.$disconnect());
