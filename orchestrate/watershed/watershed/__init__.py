"""Operations of the warehouse: status, query, build, publish."""
