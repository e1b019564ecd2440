import { readingTime } from "@lumen/prose";
import { text } from "@/text";

export default function Page() {
  return (
    <main>
      <h1>Handbook</h1>
      <p>{`Reading time: ${readingTime(text)} min`}</p>
      <p>{text}</p>
    </main>
  );
}
