-- $1 key; $2 fence; $3 the span after which the news is told again, or null.
SELECT checkout.news_told($1, $2, $3) AS done
