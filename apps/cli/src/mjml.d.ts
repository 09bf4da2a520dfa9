/** The part of mjml that is used here; the package brings no types. */
declare module 'mjml' {
  import type { MjmlCompiler } from '@postloop/mail-domain/compile-source';

  const mjml2html: MjmlCompiler;
  export default mjml2html;
}
