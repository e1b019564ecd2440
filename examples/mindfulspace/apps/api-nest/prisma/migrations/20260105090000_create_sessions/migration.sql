-- CreateEnum
CREATE TYPE "Mood" AS ENUM ('calm', 'content', 'restless', 'tired');

-- CreateTable
CREATE TABLE "Session" (
    "id" SERIAL NOT NULL,
    "title" VARCHAR(80) NOT NULL,
    "minutes" INTEGER NOT NULL,
    "mood" "Mood" NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Session_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Session_createdAt_idx" ON "Session"("createdAt");
