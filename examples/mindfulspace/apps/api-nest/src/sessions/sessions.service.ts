import type { NewSession, Session } from '@mindfulspace/shared';
import { Injectable } from '@nestjs/common';
import type { Session as SessionRow } from '../generated/prisma/client';
import { PrismaService } from '../prisma/prisma.service';

const toSession = ({ createdAt, ...row }: SessionRow): Session => ({
  ...row,
  createdAt: createdAt.toISOString(),
});

@Injectable()
export class SessionsService {
  constructor(private readonly prisma: PrismaService) {}

  /** The newest hundred, newest first. */
  async list(): Promise<Session[]> {
    const rows = await this.prisma.session.findMany({
      orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
      take: 100,
    });
    return rows.map(toSession);
  }

  async create({ title, minutes, mood }: NewSession): Promise<Session> {
    return toSession(await this.prisma.session.create({ data: { title, minutes, mood } }));
  }
}
