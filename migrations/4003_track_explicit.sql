-- Whether a recording has explicit words; NULL: nobody said.
ALTER TABLE track ADD COLUMN explicit boolean;
