// Opens a log on the directory when it is told to, and tells the `event.id` of every record that it ships.
import { openExchangeLog } from '../../../packages/proxy-manager/dist/log/open-exchange-log.js';

const sink = {
  name: 'test',
  async ship(lines) {
    process.send(lines.map((line) => JSON.parse(line).event.id));
  },
  close: async () => {},
};
let log;
process.on('message', (directory) => {
  if (log === undefined) log = openExchangeLog({ directory, sinks: [sink] });
  else void log.close().then(() => process.disconnect());
});
process.send('ready');
