// Another's Salesforce client reads, pages, counts and upserts; what came of it is printed as JSON.
const jsforce = require('jsforce');

async function judge({ URL: url, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, DEAL: deal }) {
  const org = new jsforce.Connection({ version: '63.0', oauth2: { clientId, clientSecret, loginUrl: url } });
  await org.authorize({ grant_type: 'client_credentials' });
  const pages = [];
  let page = await org.query('SELECT Id FROM Account', { autoFetch: false, headers: { 'Sforce-Query-Options': 'batchSize=200' } });
  for (pages.push(page.records.length); !page.done; pages.push(page.records.length)) page = await org.queryMore(page.nextRecordsUrl);
  const task = { Sudare_Key__c: 'judge-1', Subject: 'first', WhatId: deal };
  const upsert = (records) => org.sobject('Task').upsert(records, 'Sudare_Key__c', { allOrNone: false });
  const first = await upsert(task);
  const second = await upsert({ ...task, Subject: 'second' });
  const both = await upsert([{ ...task, Subject: 'third' }, { ...task, Sudare_Key__c: 'judge-2' }]);
  const read = await org.sobject('Task').retrieve(first.id);
  const shape = await org.sobject('Opportunity').describe();
  return { pages, total: page.totalSize, first, second, both, subject: read.Subject, fields: shape.fields.map((each) => each.name) };
}

judge(process.env).then((found) => console.log(JSON.stringify(found)));
