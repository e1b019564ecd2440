import { INestApplication } from "@nestjs/common";
import { Test } from "@nestjs/testing";
import request from "supertest";
import { AppModule } from "../src/app.module";

describe("Orders (e2e)", () => {
  let app: INestApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = module.createNestApplication();
    await app.init();
  });

  afterAll(() => app.close());

  it("lists what was placed", async () => {
    await request(app.getHttpServer()).post("/orders").send({ berth: "12" }).expect(201);
    const { body } = await request(app.getHttpServer()).get("/orders").expect(200);
    expect(body).toContainEqual(expect.objectContaining({ berth: "12" }));
  });
});
