import path from 'node:path';
import type { NextConfig } from 'next';

const nextConfig: NextConfig = {
  output: 'standalone',
  // The repo root, where pnpm keeps every package: tracing starts there and keeps the layout.
  outputFileTracingRoot: path.join(__dirname, '../../'),
  poweredByHeader: false,
};

export default nextConfig;
