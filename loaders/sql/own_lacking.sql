-- One row per column of the snapshot that the own table of the same name lacks.
select theirs.table_name, theirs.column_name
from duckdb_columns() as theirs
semi join (select table_name from duckdb_tables() where database_name = 'own') as ours using (table_name)
anti join (select table_name, column_name from duckdb_columns() where database_name = 'own') as held
    using (table_name, column_name)
where theirs.database_name = 'memory';
