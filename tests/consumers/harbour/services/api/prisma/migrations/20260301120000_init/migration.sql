CREATE TABLE "Order" (
    "id" SERIAL NOT NULL,
    "berth" TEXT NOT NULL,
    CONSTRAINT "Order_pkey" PRIMARY KEY ("id")
);
