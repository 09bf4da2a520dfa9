export { isAligned } from './aligned-domain.js';
export { createDkimKey, DKIM_ALGORITHMS, type DkimAlgorithm, type DkimKey, dkimRecord } from './dkim-key.js';
export { createDkimSigner, type DkimSigner } from './dkim-signer.js';
