import { OrdersController } from "./orders.controller";
import { PrismaService } from "./prisma.service";

describe("OrdersController", () => {
  it("places an order for the berth that was asked for", async () => {
    const create = jest.fn().mockResolvedValue({ id: 1, berth: "7" });
    const controller = new OrdersController({ order: { create } } as unknown as PrismaService);
    await expect(controller.place({ berth: "7" })).resolves.toEqual({ id: 1, berth: "7" });
    expect(create).toHaveBeenCalledWith({ data: { berth: "7" } });
  });
});
