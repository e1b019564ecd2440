import { Berth } from "@harbour/ui/berth";

export default function Page() {
  return (
    <main>
      <h1>Book a berth</h1>
      <Berth name="7" />
      <p>Orders go to {process.env.NEXT_PUBLIC_API_URL ?? "nowhere"}</p>
    </main>
  );
}
