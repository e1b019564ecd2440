import { apiUrl } from '@/lib/api';
import { Sessions } from './sessions';

export default function Home() {
  return (
    <main>
      <header>
        <h1>MindfulSpace</h1>
        <p>A gentle record of your meditation.</p>
      </header>
      <Sessions />
      <footer>
        API: <code data-api-url={apiUrl()}>{apiUrl()}</code>
      </footer>
    </main>
  );
}
