import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Session } from '@mindfulspace/shared';
import { type INestApplication, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { AppModule } from '../src/app.module';
import { configure } from '../src/configure';
import { PrismaService } from '../src/prisma/prisma.service';

async function start(): Promise<INestApplication<Server>> {
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  return configure(module.createNestApplication<INestApplication<Server>>()).init();
}

describe('with the database that DATABASE_URL names', () => {
  const title = `e2e ${randomUUID()}`;
  const session = { title: `  ${title} `, minutes: 12, mood: 'content' };
  let app: INestApplication<Server> | undefined;
  const api = () => request(app!.getHttpServer());

  beforeAll(async () => {
    app = await start();
  });
  afterAll(async () => {
    await app?.get(PrismaService).session.deleteMany({ where: { title } });
    await app?.close();
  });

  it('is healthy', () => api().get('/health').expect(200, { status: 'ok' }));

  it('lists what was created, newest first', async () => {
    const older = (await api().post('/sessions').send(session).expect(201)).body as Session;
    const newer = (await api().post('/sessions').send(session).expect(201)).body as Session;
    expect(newer).toMatchObject({ title, minutes: 12, mood: 'content' });

    const listed = (await api().get('/sessions').expect(200)).body as Session[];
    expect(listed.filter((found) => found.title === title)).toEqual([newer, older]);
  });

  it('drops a field it does not know', async () => {
    const sent = { ...session, id: -1, admin: true };
    const created = (await api().post('/sessions').send(sent).expect(201)).body as Session;
    expect(created.id).toBeGreaterThan(0);
    expect(created).not.toHaveProperty('admin');
  });

  it('refuses a wrong session with every reason', async () => {
    const wrong = { title: ' ', minutes: 0, mood: 'odd' };
    const refusal = (await api().post('/sessions').send(wrong).expect(400)).body as {
      message: string[];
    };
    expect(refusal.message).toHaveLength(3);
  });

  it('breathes as long as it is asked to, within limits', async () => {
    await api().get('/breath?seconds=1').expect(200, { seconds: 1 });
    await api().get('/breath?seconds=11').expect(400);
  });

  it('lets a browser on another origin call it', () =>
    api()
      .get('/health')
      .set('Origin', 'http://localhost:3000')
      .expect('access-control-allow-origin', /./));
});

describe('below a path, where one host has both front end and API', () => {
  afterEach(() => jest.restoreAllMocks());

  it('has all there but its health', async () => {
    jest.replaceProperty(process, 'env', { ...process.env, API_PREFIX: 'api' });
    const app = await start();
    await request(app.getHttpServer()).get('/api/sessions').expect(200);
    await request(app.getHttpServer()).get('/sessions').expect(404);
    await request(app.getHttpServer()).get('/health').expect(200);
    await app.close();
  });
});

describe('without a database', () => {
  afterEach(() => jest.restoreAllMocks());

  it('answers 503 on /health', async () => {
    const unreachable = 'postgresql://nobody@127.0.0.1:1/none';
    jest.replaceProperty(process, 'env', { ...process.env, DATABASE_URL: unreachable });
    jest.spyOn(Logger.prototype, 'error').mockImplementation();
    const app = await start();
    await request(app.getHttpServer())
      .get('/health')
      .expect(503, { status: 'error', database: 'unreachable' });
    await app.close();
  });
});
