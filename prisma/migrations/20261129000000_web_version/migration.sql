-- The link to a mail's web version: neither counted nor exported.
ALTER TYPE link_purpose ADD VALUE 'web';
