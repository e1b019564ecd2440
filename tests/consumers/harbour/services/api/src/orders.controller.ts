import { Body, Controller, Get, Post } from "@nestjs/common";
import { PrismaService } from "./prisma.service";

@Controller("orders")
export class OrdersController {
  constructor(private readonly prisma: PrismaService) {}

  @Get()
  list() {
    return this.prisma.order.findMany({ orderBy: { id: "asc" } });
  }

  @Post()
  place(@Body() order: { berth: string }) {
    return this.prisma.order.create({ data: { berth: order.berth } });
  }
}
