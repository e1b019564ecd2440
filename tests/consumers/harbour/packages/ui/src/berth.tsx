"use client";

import { useState } from "react";

export function Berth({ name }: { name: string }) {
  const [open, setOpen] = useState(false);
  return (
    <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
      Berth {name}
    </button>
  );
}
