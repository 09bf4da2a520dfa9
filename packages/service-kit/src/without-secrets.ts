/** Takes secrets out of a text: as they are, in base64 and percent-encoded. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)]);
  // The longest first: one may contain another.
  return forms.toSorted((a, b) => b.length - a.length).reduce((hidden, form) => hidden.replaceAll(form, '***'), text);
}
