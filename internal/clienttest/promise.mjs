// What the scripts here are written with: promises in sentences, each printed as it is
// kept. The first that is not ends the script with a complaint.

import assert from 'node:assert/strict';

export { assert };

/** Runs one promise and prints it. */
export async function it(sentence, run) {
  try {
    await run();
  } catch (error) {
    console.error(`not ok ${sentence}\n${explain(error)}`);
    process.exit(1);
  }
  console.log(`ok ${sentence}`);
}

/** Runs what must fail and returns its error. */
export async function failure(run) {
  let answer;
  try {
    answer = await run();
  } catch (error) {
    return error;
  }
  throw new Error(`it did not fail: ${JSON.stringify(answer)}`);
}

/** Returns a variable of the environment, which must be there. */
export function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** Says that the script came to its end. */
export function done() {
  console.log('done');
}

function explain(error) {
  const response = error.response;
  const answer = response ? `\nanswer: ${response.status} ${JSON.stringify(response.data)}` : '';
  return `${error.stack ?? error}${answer}`;
}
