// HubSpot's own client for Node reads, pages, searches and writes; what came of it is printed as JSON.
const { Client } = require('@hubspot/api-client');

async function judge({ URL: basePath, TOKEN: accessToken, DEAL: deal }) {
  const { crm } = new Client({ accessToken, basePath });
  const deals = await crm.deals.getAll(2, undefined, ['dealname']);
  const search = { filterGroups: [], properties: ['name'], limit: 3, sorts: ['hs_object_id'], after: '0' };
  const found = await crm.companies.searchApi.doSearch(search);
  const more = await crm.companies.searchApi.doSearch({ ...search, after: found.paging.next.after });
  const to = [{ to: { id: deal }, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 214 }] }];
  const note = { hs_note_body: 'judged', hs_timestamp: '1795600000000' };
  const made = await crm.objects.notes.basicApi.create({ properties: note, associations: to });
  await crm.objects.notes.basicApi.update(made.id, { properties: { hs_note_body: 'judged again' } });
  const read = await crm.objects.notes.batchApi.read({ inputs: [{ id: made.id }], properties: ['hs_note_body'], propertiesWithHistory: [] });
  const linked = await crm.associations.v4.basicApi.getPage('deals', deal, 'notes');
  const owners = await crm.owners.ownersApi.getPage();
  return {
    deals: deals.map((each) => each.id),
    companies: [...found.results, ...more.results].map((each) => each.id),
    note: made.id, body: read.results[0].properties.hs_note_body,
    linked: linked.results.map((each) => String(each.toObjectId)), owners: owners.results.length,
  };
}

judge(process.env).then((found) => console.log(JSON.stringify(found)));
