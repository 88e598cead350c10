/**
 * A cheap source of load: one thread, one selector, prebuilt commands, frames read in place. Client
 * and broker share the machine, and what the client costs, the broker does not get.
 */
package io.holdfast.tools.bench.load;
