# The table's key, and the request to try.
s/AttributeName: sku/AttributeName: place/
s/-d '{"lines":.*}'/-d '{"seats":[{"show":"open-day","count":2}]}'/
