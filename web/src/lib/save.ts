/** Gives the person a file. */
export function save(name: string, content: BlobPart, kind = "text/csv") {
  const address = URL.createObjectURL(new Blob([content], { type: kind }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

/** One field of a line of CSV (RFC 4180). Spreadsheets take some beginnings for formulas; those are made plain. */
export function csvField(value: string): string {
  const plain = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
