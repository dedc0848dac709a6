-- NUMERIC without a precision keeps every digit as it came.  Origins: 0 live, 1 recovered, 2 fetched, 3 made.
-- One row: whose data is kept here, 'binance' or 'simulated'.
CREATE TABLE provenance (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  source TEXT NOT NULL
);
CREATE TABLE series (
  id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  market TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  interval TEXT NOT NULL,
  UNIQUE (market, kind, name, interval)
);
CREATE TABLE kline_rows (
  series INTEGER NOT NULL,
  origin SMALLINT NOT NULL,
  is_closed BOOLEAN NOT NULL,
  start_time BIGINT NOT NULL,
  end_time BIGINT NOT NULL,
  first_trade_id BIGINT NOT NULL,
  last_trade_id BIGINT NOT NULL,
  number_of_trades BIGINT NOT NULL,
  open NUMERIC NOT NULL,
  close NUMERIC NOT NULL,
  high NUMERIC NOT NULL,
  low NUMERIC NOT NULL,
  volume NUMERIC NOT NULL,
  quote_volume NUMERIC NOT NULL,
  taker_buy_volume NUMERIC NOT NULL,
  taker_buy_quote_volume NUMERIC NOT NULL,
  ignore TEXT NOT NULL,
  PRIMARY KEY (series, start_time)
);
CREATE TABLE agg_trade_rows (
  series INTEGER NOT NULL,
  origin SMALLINT NOT NULL,
  is_buyer_maker BOOLEAN NOT NULL,
  agg_id BIGINT NOT NULL,
  trade_time BIGINT NOT NULL,
  first_trade_id BIGINT NOT NULL,
  last_trade_id BIGINT NOT NULL,
  price NUMERIC NOT NULL,
  quantity NUMERIC NOT NULL,
  PRIMARY KEY (series, agg_id)
);
CREATE INDEX agg_trade_rows_time ON agg_trade_rows (series, trade_time, agg_id);
CREATE TABLE spans (
  series INTEGER NOT NULL,
  first BIGINT NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (series, first)
);
CREATE TABLE connections (
  worker TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  id TEXT NOT NULL,
  streams TEXT NOT NULL,
  status TEXT NOT NULL,
  message_count BIGINT NOT NULL,
  seen_ms BIGINT NOT NULL,
  PRIMARY KEY (worker, epoch, id)
);
CREATE TABLE frame_streams (
  id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  market TEXT NOT NULL,
  stream TEXT NOT NULL,
  UNIQUE (market, stream)
);
CREATE TABLE frame_rows (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  stream INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  received_ns BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  payload BYTEA NOT NULL,
  UNIQUE (stream, epoch, seq)
);
CREATE INDEX frame_rows_time ON frame_rows (stream, received_ns, id);
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
SELECT s.market, s.name AS symbol, t.price::DOUBLE PRECISION AS price, t.quantity::DOUBLE PRECISION AS quantity,
  t.trade_time AS timestamp_ms, t.is_buyer_maker
FROM agg_trade_rows t JOIN series s ON s.id = t.series;
CREATE VIEW complete AS
SELECT s.market, s.kind, s.name AS symbol, s.interval, c.first, c.last
FROM spans c JOIN series s ON s.id = c.series;
CREATE VIEW raw_frames AS
SELECT s.market, s.stream, f.received_ns, f.epoch, f.seq, f.flags, f.payload, f.id
FROM frame_rows f JOIN frame_streams s ON s.id = f.stream;
