/** An url that is asked for again and again: the same object each time, not to be changed, so that what is made of it can be kept. */
export class RecurringUrl extends URL {}
