-- $1 version. The second column holds one ID or several with commas between them; rows of one anchor follow each other.
INSERT INTO product_recommendation (version_id, product_id, recommended)
SELECT $1, btrim(s.c1), array_agg(btrim(r.id) ORDER BY s.line, r.place)
  FROM :staging s CROSS JOIN LATERAL regexp_split_to_table(s.c2, ',') WITH ORDINALITY AS r(id, place)
 WHERE btrim(r.id) <> ''
 GROUP BY btrim(s.c1) ORDER BY 2
