/** What a client is told, with its enhanced status code (RFC 3463). smtp-server makes the reply of it. */
const refusal = (responseCode: number, text: string) => () => Object.assign(new Error(text), { responseCode });

export const refusals = {
  unknownRecipient: refusal(550, '5.1.1 There is no such address here'),
  tooManyRecipients: refusal(452, '4.5.3 Too many recipients'),
  tooBig: refusal(552, '5.3.4 The message is too big'),
  tooFast: refusal(450, '4.7.1 Too much from your address; try again later'),
  tooManyConnections: refusal(421, '4.7.0 Too many connections from your address'),
  busy: refusal(452, '4.3.1 Too many messages at the same time; try again later'),
  notNow: refusal(451, '4.3.0 The message cannot be stored now; try again later'),
};
