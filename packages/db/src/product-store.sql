-- $1 version; :staging and :columns are written in: names made of numbers only. In the order of IDs: the index is filled from
-- left to right.
INSERT INTO product (version_id, product_id, "values")
SELECT DISTINCT ON (btrim(c1)) $1, btrim(c1), ARRAY[:columns] FROM :staging ORDER BY btrim(c1), line
