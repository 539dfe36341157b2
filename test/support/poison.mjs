/**
 * Loaded before Shipmate (`node --import`): looking for this text in a line ends the process at once, as a fault in the runtime would.
 * Nothing in Shipmate hears of it first.
 */
const includes = String.prototype.includes;
String.prototype.includes = function (wanted, ...more) {
  if (wanted === 'poison-pill') process.abort();
  return includes.call(this, wanted, ...more);
};
