-- Numbers that Binance sends as strings are those strings.  Origins: 0 live, 1 recovered, 2 fetched, 3 made.
-- One row: whose data is kept here, 'binance' or 'simulated'.
CREATE TABLE provenance (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  source TEXT NOT NULL
);
CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  market TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  interval TEXT NOT NULL,
  UNIQUE (market, kind, name, interval)
);
CREATE TABLE kline_rows (
  series INTEGER NOT NULL,
  start_time INTEGER NOT NULL,
  end_time INTEGER NOT NULL,
  first_trade_id INTEGER NOT NULL,
  last_trade_id INTEGER NOT NULL,
  open TEXT NOT NULL,
  close TEXT NOT NULL,
  high TEXT NOT NULL,
  low TEXT NOT NULL,
  volume TEXT NOT NULL,
  number_of_trades INTEGER NOT NULL,
  is_closed INTEGER NOT NULL,
  quote_volume TEXT NOT NULL,
  taker_buy_volume TEXT NOT NULL,
  taker_buy_quote_volume TEXT NOT NULL,
  ignore TEXT NOT NULL,
  origin INTEGER NOT NULL,
  PRIMARY KEY (series, start_time)
) WITHOUT ROWID;
CREATE TABLE agg_trade_rows (
  series INTEGER NOT NULL,
  agg_id INTEGER NOT NULL,
  price TEXT NOT NULL,
  quantity TEXT NOT NULL,
  trade_time INTEGER NOT NULL,
  first_trade_id INTEGER NOT NULL,
  last_trade_id INTEGER NOT NULL,
  is_buyer_maker INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  PRIMARY KEY (series, agg_id)
) WITHOUT ROWID;
CREATE INDEX agg_trade_rows_time ON agg_trade_rows (series, trade_time, agg_id);
CREATE TABLE spans (
  series INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (series, first)
) WITHOUT ROWID;
CREATE TABLE connections (
  worker TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  id TEXT NOT NULL,
  streams TEXT NOT NULL,
  status TEXT NOT NULL,
  message_count INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL,
  PRIMARY KEY (worker, epoch, id)
) WITHOUT ROWID;
CREATE TABLE frame_streams (
  id INTEGER PRIMARY KEY,
  market TEXT NOT NULL,
  stream TEXT NOT NULL,
  UNIQUE (market, stream)
);
CREATE TABLE frame_rows (
  id INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL,
  received_ns INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  payload BLOB NOT NULL,
  UNIQUE (stream, epoch, seq)
);
CREATE INDEX frame_rows_time ON frame_rows (stream, received_ns);
CREATE VIEW kline_data AS
SELECT s.market, s.kind, s.name AS symbol, k.start_time, k.end_time, s.interval, k.first_trade_id, k.last_trade_id,
  k.open, k.close, k.high, k.low, k.volume, k.number_of_trades, k.is_closed, k.quote_volume, k.taker_buy_volume,
  k.taker_buy_quote_volume, k.ignore,
  CASE k.origin WHEN 0 THEN 'live' WHEN 1 THEN 'recovered' WHEN 2 THEN 'fetched' ELSE 'made' END AS origin
FROM kline_rows k JOIN series s ON s.id = k.series;
CREATE VIEW raw_agg_trades AS
SELECT s.market, s.name AS symbol, t.price, t.quantity, t.trade_time, t.agg_id, t.first_trade_id, t.last_trade_id,
  t.is_buyer_maker,
  CASE t.origin WHEN 0 THEN 'live' WHEN 1 THEN 'recovered' WHEN 2 THEN 'fetched' ELSE 'made' END AS origin
FROM agg_trade_rows t JOIN series s ON s.id = t.series;
CREATE VIEW app_agg_trades AS
SELECT s.market, s.name AS symbol, CAST(t.price AS REAL) AS price, CAST(t.quantity AS REAL) AS quantity,
  t.trade_time AS timestamp_ms, t.is_buyer_maker
FROM agg_trade_rows t JOIN series s ON s.id = t.series;
CREATE VIEW complete AS
SELECT s.market, s.kind, s.name AS symbol, s.interval, c.first, c.last
FROM spans c JOIN series s ON s.id = c.series;
CREATE VIEW raw_frames AS
SELECT s.market, s.stream, f.received_ns, f.epoch, f.seq, f.flags, f.payload, f.id
FROM frame_rows f JOIN frame_streams s ON s.id = f.stream;
