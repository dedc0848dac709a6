// The types of the file beside this one, where its package is installed: for checks alone, never served.
export * from 'lightweight-charts';
