const e={};export{e as de};
