-- Candles by weeks, where TimescaleDB is there when the tables are made.  (Trades are kept by id, not by time.)
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_proc WHERE proname = 'create_hypertable') THEN
    PERFORM create_hypertable('kline_rows', 'start_time', chunk_time_interval => 604800000::BIGINT);
  END IF;
END $$;
