/** There can be no mail for this recipient; others are not concerned. */
export class RenderError extends Error {
  override name = 'RenderError';
}
