/**
 * A cheap source of load: one thread, one selector, prebuilt commands, frames read in place. The
 * suite measures with it, because client and broker share the machine and what the client costs,
 * the broker does not get.
 */
package io.holdfast.tools.bench.load;
