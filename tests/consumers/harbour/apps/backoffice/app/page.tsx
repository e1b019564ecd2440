import { Berth } from "@harbour/ui/berth";

export default function Page() {
  return (
    <main>
      <h1>Harbour master</h1>
      <Berth name="office" />
    </main>
  );
}
